export { HttpConnections, type HttpConnectionsOptions, type HttpExchange } from './connections';
export type { HttpAnswer } from './answer-parser';
export type { HttpRequest } from './request-text';
export { addressOf, type ServerAddress } from './server-address';
export { HttpSyntaxError } from './syntax-error';
export { HttpServer, type Answering, type HttpQuestion, type HttpReply, type HttpServerOptions } from './http-server';
