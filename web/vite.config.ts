import preact from "@preact/preset-vite";
import { defineConfig } from "vite";

/** Where `npm run dev` runs the game server while Vite serves the page. */
const GAME_SERVER = "http://localhost:2567";

export default defineConfig({
  plugins: [preact()],
  resolve: {
    // The default build compiles readers with `new Function`, which the page's Content-Security-Policy forbids.
    alias: [{ find: /^msgpackr$/, replacement: "msgpackr/index-no-eval" }],
  },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/auth": GAME_SERVER,
      "/api": GAME_SERVER,
      "/healthz": GAME_SERVER,
      "/matchmake": GAME_SERVER,
      // A room's socket is /<process>/<room>?sessionId=…
      "^/[\\w-]+/[\\w-]+\\?.*sessionId=": { target: GAME_SERVER, ws: true },
    },
  },
});
