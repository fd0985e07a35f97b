import { formatLsn, lagBytes, parseLsn } from '@ha-postgres/lsn';

const ahead = parseLsn('0/75B6868');
const behind = parseLsn('0/75B67F0');
// eslint-disable-next-line no-console -- an example prints
console.log(`${formatLsn(behind)} is ${lagBytes(ahead, behind)} bytes behind`);
