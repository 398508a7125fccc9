/** Loaded into a node (`--import`) to do what our own code must not: it fails, where nobody handles it, when it is told to. */
const URL_WITH_SECRETS = "ws://server/p/r?_authToken=secret-token&reconnectionToken=secret-seat&sessionId=s";

const failure = (): Error =>
  Object.assign(new TypeError(`Invalid URL: ${URL_WITH_SECRETS}`), {
    input: URL_WITH_SECRETS,
    code: "ERR_INVALID_URL",
  });

process.on("message", (message) => {
  if (message === "reject") void Promise.reject(failure());
  if (message === "throw") {
    setImmediate(() => {
      throw failure();
    });
  }
});
