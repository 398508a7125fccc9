import { join } from "node:path";
import express, { Router } from "express";

const NOT_BUILT = `The player page has not been built yet.

  npx vite build web

builds it (npm start does so by itself); the server need not be restarted. Everything but the page works without it.
`;

/**
 * The player page at `/`, from the folder that Vite builds into. Files under `/assets` carry a hash in their names, so they are
 * cached for good; the page itself is asked for each time. Without a build, `/` says what to do (503).
 */
export function playerPage(folder: string): Router {
  const router = Router();
  router.use("/assets", express.static(join(folder, "assets"), { immutable: true, maxAge: "1y", index: false }));
  router.use(
    express.static(folder, {
      cacheControl: false,
      setHeaders: (response) => response.setHeader("Cache-Control", "no-cache"),
    }),
  );
  router.get("/", (_request, response) => {
    response.status(503).type("text/plain").send(NOT_BUILT);
  });
  return router;
}
