export * from './keys';
export * from './schemas';
export * from './values';
export * from './wire';
