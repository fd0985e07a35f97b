import type { Request, RequestHandler } from 'express';
import { Refusal } from './refusal';

/** The largest request is a runner's report, of about 2 kB. */
const BODY_BYTES_MAX = 64 * 1024;

/** What is too large is refused at once but read to its end, unkept: a sender that is cut off would not see why. */
function readText(request: Request): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    request.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes <= BODY_BYTES_MAX) parts.push(part);
      else reject(new Refusal(413, 'HAPG_BODY_TOO_LARGE', `the body is larger than ${BODY_BYTES_MAX} bytes`, 'body'));
    });
    request.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
    request.on('error', reject);
  });
}

/**
 * Leaves the body as the text that was sent in `request.body`: signatures are over its bytes, not over what a parser
 * makes of it. Express' own reader would load the tables of every character set for it, some 5 MiB.
 */
export const readBody: RequestHandler = async (request, _, next) => {
  request.body = await readText(request);
  next();
};
