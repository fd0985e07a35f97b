export {
  FakeConsul,
  type FakeCarrier,
  type FakeConsulOptions,
  type FakeLink,
  type FakeRequest,
  type Fate,
} from './fake-consul';
export { FakeStore, type Keys } from './fake-store';
export { VirtualClock, driftingClock } from './virtual-clock';
export { LeaseRecord } from '../lease-record';
