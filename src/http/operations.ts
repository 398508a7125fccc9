import { type Request, type RequestHandler, type Response, Router } from "express";
import { RingmasterError } from "../errors.ts";
import type { BoundOperation, Endpoint } from "../operations/Operation.ts";
import type { Asked, Operations } from "../operations/Operations.ts";
import { type FieldComplaint, invalidPayload } from "../validate.ts";
import { callerOf } from "./auth/authenticate.ts";
import { BODY_LIMIT, jsonBody } from "./body.ts";
import { idempotencyKey } from "./idempotency.ts";
import { requestIdOf } from "./requestIds.ts";

/** Every operation that has an endpoint, at its path. */
export function operationRoutes(operations: Operations): Router {
  const router = Router({ caseSensitive: true });
  for (const operation of operations.all) {
    const { endpoint } = operation;
    if (endpoint === undefined) continue;
    const { role = operation.role } = endpoint;
    const handle = answering(operations, { ...operation, role }, endpoint);
    if (endpoint.method === "GET") router.get(endpoint.path, handle);
    else router.post(endpoint.path, handle);
  }
  return router;
}

function answering(operations: Operations, operation: BoundOperation, endpoint: Endpoint): RequestHandler {
  const parse = jsonBody(endpoint.bodyLimit ?? BODY_LIMIT);
  return async (request, response) => {
    const caller = callerOf(request);
    const asked = askedBy(request);
    // Before a byte of the body is read.
    operations.admit(operation, caller, asked);
    let args: object;
    try {
      const requestId = idempotencyKey(request);
      if (requestId !== undefined) asked.requestId = requestId;
      args = endpoint.method === "GET" ? argsOf(request, request.query) : await bodyArgs(parse, request, response);
    } catch (error) {
      await operations.refused(operation, caller, asked, error);
      throw error;
    }
    const answer = await operations
      .run(operation, args, caller, asked)
      .catch((error: unknown) => Promise.reject(unnamed(error, request)));
    send(response, endpoint, answer, args);
  };
}

function send(response: Response, endpoint: Endpoint, answer: unknown, args: object): void {
  const { status = 200, location, body } = endpoint as Endpoint<unknown, unknown>;
  response.status(status);
  if (location) response.location(location(answer));
  response.json(body ? body(answer, args) : answer);
}

/** An id is for the endpoint and what it names alone, so that the same one sent elsewhere is another request. */
function askedBy(request: Request): Asked {
  const { baseUrl, method, path } = request;
  return { via: "http", scope: `${method} ${baseUrl}${path}`, logId: requestIdOf(request) };
}

async function bodyArgs(parse: RequestHandler, request: Request, response: Response): Promise<object> {
  await new Promise<void>((resolve, reject) =>
    Promise.resolve(parse(request, response, (error?: unknown) => (error ? reject(error) : resolve()))).catch(reject),
  );
  return argsOf(request, request.body ?? {});
}

/** The arguments that the path names, and the others. */
function argsOf({ params }: Request, others: unknown): object {
  if (typeof others !== "object" || others === null || Array.isArray(others))
    throw invalidPayload([{ path: "", message: "must be an object" }]);
  for (const name of Object.keys(params))
    if (Object.hasOwn(others, name)) throw invalidPayload([{ path: name, message: "is no field that is known here" }]);
  return { ...others, ...params };
}

/** A part of the path that names what cannot be names nothing. */
function unnamed(error: unknown, { params }: Request): unknown {
  if (!(error instanceof RingmasterError) || error.code !== "invalid_payload" || !Array.isArray(error.details))
    return error;
  const isOfPath = (error.details as FieldComplaint[]).some(({ path }) => Object.hasOwn(params, path));
  return isOfPath ? new RingmasterError("not_found") : error;
}
