import type { Mutation as SourceMutation } from '../mutations/mutation';

/** A mistake put into the source on purpose, and which exploration must find it. */
export interface Mutation extends SourceMutation {
  readonly configuration: string;
}
