import { describePostgres } from './testing/contract';
import { ModelCluster } from './testing/model-cluster';

describePostgres('PostgreSQL as a model', () => Promise.resolve(new ModelCluster()));
