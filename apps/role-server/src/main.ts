import { listenOn, runApp } from '@ha-postgres/service-kit';
import { options } from './config';
import { ControllerClient } from './controller-client';
import { createHttpServer } from './http-server';
import { createRoutes } from './routes';
import { Subscription } from './subscription';

runApp({
  name: 'role-server',
  description:
    "Tells: the database pod's only HTTP door. It answers from db-controller's state and knows nothing by itself.",
  options,
  start: async ({ config, log, metrics, signal, onStop }) => {
    const controller = new ControllerClient(config.controllerSocket);
    const subscription = new Subscription({ controller, log, metrics });
    const routes = createRoutes({
      secret: config.clusterSecret,
      controller,
      subscription,
      metrics,
      log,
    });
    const close = await listenOn(createHttpServer(routes), { host: config.host, port: config.port });
    // Waiting askers are cut rather than answered: what they would be told could be taken for news.
    onStop(() => close(50));
    onStop(() => controller.close());
    void subscription.follow(signal);
  },
});
