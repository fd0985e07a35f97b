import { createServer } from 'node:http';
import { defineOptions, listenOn, runApp } from '@ha-postgres/service-kit';

const options = defineOptions({
  host: { type: 'string', default: '127.0.0.1', description: 'the address to listen on' },
  port: { type: 'port', default: 8080, description: 'the port to listen on' },
  greeting: { type: 'enum', values: ['hello', 'hi'], default: 'hello', description: 'how to greet' },
  delay: { type: 'duration', default: '0ms', maximum: '5s', description: 'how long to think before greeting' },
  apiKey: { type: 'secret', optional: true, description: 'who knows it is greeted twice' },
});

runApp({
  name: 'hello',
  description: 'Greets whoever asks.',
  options,
  rules: ({ greeting, delay }) =>
    greeting === 'hi' && delay > 1_000 ? ['greeting hi needs a delay of at most 1s: it is said in passing'] : [],
  start: async ({ config, log, metrics, onStop }) => {
    const greetings = metrics.counter('hello_greetings_total', 'Greetings that were given');
    const server = createServer((request, response) => {
      const times = config.apiKey !== undefined && request.headers['x-api-key'] === config.apiKey ? 2 : 1;
      greetings.inc(times);
      setTimeout(() => response.end(`${config.greeting}\n`.repeat(times)), config.delay);
    });
    const close = await listenOn(server, { host: config.host, port: config.port });
    onStop(() => close());
    log.info({ event: 'hello.listening', host: config.host, port: config.port }, 'listening');
  },
});
