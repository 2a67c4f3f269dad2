import type { IncomingMessage, ServerResponse } from "node:http";

/** Middleware that serves the files of one folder under a path prefix, byte ranges included; what is missing is a 404. */
export function serveFolder(
  prefix: string,
  folder: string,
  onRequest?: (name: string, request: IncomingMessage) => void,
): (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
