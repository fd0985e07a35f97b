export * from './blocked';
export * from './keys';
export * from './schemas';
export * from './slot-name';
export * from './values';
export * from './wire';
