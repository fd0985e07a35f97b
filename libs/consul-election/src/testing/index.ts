export { FakeConsul, type FakeLink, type FakeRequest, type Fate } from './fake-consul';
export { FakeStore } from './fake-store';
export { VirtualClock, driftingClock } from './virtual-clock';
