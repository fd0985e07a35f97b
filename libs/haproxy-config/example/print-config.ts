import { renderHaproxyConfig } from '@ha-postgres/haproxy-config';

const config = renderHaproxyConfig({ masterBind: '*:5432', standbyBind: '*:5433', standbySlots: 3 });
// eslint-disable-next-line no-console -- an example prints
console.log(config);
