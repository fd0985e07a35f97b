import { createServer, type RequestListener, type Server } from 'node:http';

/** An HTTP server on which a client that sends nothing, or half a request, is cut off within seconds. */
export function createHttpServer(routes: RequestListener): Server {
  return createServer(
    {
      headersTimeout: 5_000,
      requestTimeout: 5_000,
      // Node looks for slow clients only this often; its default of 30 s would be their real limit.
      connectionsCheckingInterval: 1_000,
      // The runner and HAProxy ask again on the same connection within seconds.
      keepAliveTimeout: 30_000,
    },
    routes,
  );
}
