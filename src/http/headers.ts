import type { RequestHandler } from "express";

/** Seconds for which a browser may keep what a preflight told it. */
const PREFLIGHT_SECONDS = 86_400;

/** Our pages load only what we serve; their sockets may go to another node of the cluster, whose name we do not know. */
const PAGE_POLICY = [
  "default-src 'self'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
];

/**
 * The panels that come with Colyseus write their styles into the page as they run. The monitor's symbols are a font of Google's, and the
 * playground's editor checks what is typed in a worker that it makes of its own text.
 */
const PANEL_POLICY = [
  ...PAGE_POLICY,
  "style-src 'self' 'unsafe-inline' https://fonts.googleapis.com",
  "font-src 'self' https://fonts.gstatic.com",
  "worker-src 'self' blob:",
];

/** What every answer tells a browser: guess no types, frame nothing, leak no address, load nothing from elsewhere. */
export const securityHeaders: RequestHandler = (_request, response, next) => {
  response.setHeader("Content-Security-Policy", PAGE_POLICY.join("; "));
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("X-Frame-Options", "DENY");
  response.setHeader("Referrer-Policy", "no-referrer");
  response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  next();
};

/** For the panels: inline styles, no cache, and no search engine. */
export const panelHeaders: RequestHandler = (_request, response, next) => {
  response.setHeader("Content-Security-Policy", PANEL_POLICY.join("; "));
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("X-Robots-Tag", "noindex, nofollow");
  next();
};

/** For answers that depend on when and by whom they were asked for. */
export const notCached: RequestHandler = (_request, response, next) => {
  response.setHeader("Cache-Control", "no-store");
  next();
};

/**
 * Lets a game served from anywhere use these routes. The SDK sends every request with `credentials: "include"`, for which a
 * browser accepts no `*`; so the origin is named. That gives nothing away, because these routes act on a bearer token alone,
 * never on a cookie or anything else that a browser would add by itself. Routes that do must not be behind this.
 */
export const openToAnyOrigin: RequestHandler = (request, response, next) => {
  response.setHeader("Access-Control-Allow-Origin", request.headers.origin ?? "*");
  response.setHeader("Access-Control-Allow-Credentials", "true");
  response.setHeader("Access-Control-Expose-Headers", "Retry-After, X-Request-Id");
  response.vary("Origin");
  if (request.method !== "OPTIONS") {
    next();
    return;
  }
  response.setHeader("Access-Control-Allow-Methods", "GET, HEAD, POST");
  response.setHeader(
    "Access-Control-Allow-Headers",
    "Accept, Authorization, Content-Type, Idempotency-Key, X-Request-Id",
  );
  response.setHeader("Access-Control-Max-Age", PREFLIGHT_SECONDS);
  response.status(204).end();
};
