export { ApiServer } from './api-server';
export { helmAsking, manifestsIn, type Manifest, type Values } from './render';
