import { describePostgres } from '../src/postgres/testing/contract';
import { RealCluster } from './real-cluster';

describePostgres('PostgreSQL itself', () => Promise.resolve(new RealCluster()));
