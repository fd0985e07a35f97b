/** What came is no answer in HTTP/1.1, or one that this library does not take; its connection is of no more use. */
export class HttpSyntaxError extends Error {}
