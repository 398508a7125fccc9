import type { RequestHandler } from "express";

/**
 * Colyseus's playground, for development: it lets anybody join any room and profile the process. It is loaded at the first visit,
 * because loading it makes every room send each client a message of its own.
 */
export function playgroundPage(): RequestHandler {
  let loading: Promise<RequestHandler> | undefined;
  return async (request, response, next) => {
    loading ??= import("@colyseus/playground").then(({ playground }) => playground() as RequestHandler);
    const page = await loading;
    await page(request, response, next);
  };
}
