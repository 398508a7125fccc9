import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { DEADLINE_MS, until } from "./processes.ts";
import { doubleOf, hexOf, type Message, messagesOf, numberOf, packedOf, readMessage, textOf } from "./protobuf.ts";

export type Attributes = Record<string, string | number | boolean>;

/** A span as it came over the wire. */
export interface ReceivedSpan {
  service: string;
  instance: string;
  name: string;
  traceId: string;
  spanId: string;
  /** Empty for the first of its trace. */
  parentId: string;
  attributes: Attributes;
  events: string[];
  links: Array<{ traceId: string; spanId: string }>;
}

export interface ReceivedPoint {
  attributes: Attributes;
  value?: number;
  count?: number;
  sum?: number;
  bounds?: number[];
  buckets?: number[];
}

/** A metric as it came over the wire. */
export interface ReceivedMetric {
  name: string;
  kind: "gauge" | "sum" | "histogram";
  isMonotonic: boolean;
  points: ReceivedPoint[];
}

/** How it treats who exports: it answers, refuses with 503, or never says anything. */
export type Manner = "takes" | "refuses" | "hangs";

/** A collector of OTLP over HTTP, for protobuf: https://opentelemetry.io/docs/specs/otlp/#otlphttp. */
export class OtlpServer {
  readonly spans: ReceivedSpan[] = [];
  /** The latest export of metrics. */
  metrics: ReceivedMetric[] = [];
  /** Requests so far, and the headers of the latest. */
  requests = 0;
  headers: IncomingMessage["headers"] = {};
  manner: Manner = "takes";
  readonly #server: Server;

  static async open(): Promise<OtlpServer> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new OtlpServer(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => void this.#take(request, response));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Waits for a span. */
  span(what: string, fits: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan> {
    return until(() => this.spans.find(fits), { timeoutMs: DEADLINE_MS, what });
  }

  /** The spans of a trace, each as the names from the first one down to it. */
  paths(traceId: string): string[] {
    const spans = new Map(this.spans.filter((span) => span.traceId === traceId).map((span) => [span.spanId, span]));
    const pathOf = (span: ReceivedSpan): string => {
      const parent = spans.get(span.parentId);
      return parent === undefined ? span.name : `${pathOf(parent)} > ${span.name}`;
    };
    return [...spans.values()].map(pathOf).sort();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.requests += 1;
    this.headers = request.headers;
    if (this.manner === "hangs") return;
    if (this.manner === "refuses") {
      response.writeHead(503).end();
      return;
    }
    const body = Buffer.concat(chunks);
    const message = readMessage(request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body);
    if (request.url === "/v1/traces") this.spans.push(...spansOf(message));
    else if (request.url === "/v1/metrics") this.metrics = metricsOf(message);
    else {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "Content-Type": "application/x-protobuf" }).end();
  }
}

function spansOf(request: Message): ReceivedSpan[] {
  return messagesOf(request, 1).flatMap((ofResource) => {
    const resource = attributesOf(messagesOf(ofResource, 1)[0]!, 1);
    const of = { service: String(resource["service.name"]), instance: String(resource["service.instance.id"]) };
    return messagesOf(ofResource, 2).flatMap((ofScope) =>
      messagesOf(ofScope, 2).map((span) => ({ ...of, ...spanOf(span) })),
    );
  });
}

function spanOf(span: Message): Omit<ReceivedSpan, "service" | "instance"> {
  return {
    name: textOf(span, 5),
    traceId: hexOf(span, 1),
    spanId: hexOf(span, 2),
    parentId: hexOf(span, 4),
    attributes: attributesOf(span, 9),
    events: messagesOf(span, 11).map((event) => textOf(event, 2)),
    links: messagesOf(span, 13).map((link) => ({ traceId: hexOf(link, 1), spanId: hexOf(link, 2) })),
  };
}

function metricsOf(request: Message): ReceivedMetric[] {
  const ofScopes = messagesOf(request, 1).flatMap((ofResource) => messagesOf(ofResource, 2));
  return ofScopes.flatMap((ofScope) => messagesOf(ofScope, 2)).map(metricOf);
}

function metricOf(metric: Message): ReceivedMetric {
  const name = textOf(metric, 1);
  const [gauge] = messagesOf(metric, 5);
  const [sum] = messagesOf(metric, 7);
  const [histogram] = messagesOf(metric, 9);
  if (gauge) return { name, kind: "gauge", isMonotonic: false, points: messagesOf(gauge, 1).map(numberPoint) };
  if (sum)
    return { name, kind: "sum", isMonotonic: numberOf(sum, 3) === 1, points: messagesOf(sum, 1).map(numberPoint) };
  if (histogram)
    return { name, kind: "histogram", isMonotonic: false, points: messagesOf(histogram, 1).map(histogramPoint) };
  throw new Error(`${name} is no kind of metric that is known here`);
}

function numberPoint(point: Message): ReceivedPoint {
  return { attributes: attributesOf(point, 7), value: doubleOf(point, 4) ?? numberOf(point, 6) };
}

function histogramPoint(point: Message): ReceivedPoint {
  return {
    attributes: attributesOf(point, 9),
    count: numberOf(point, 4),
    sum: doubleOf(point, 5) ?? 0,
    buckets: packedOf(point, 6, "fixed64"),
    bounds: packedOf(point, 7, "double"),
  };
}

function attributesOf(message: Message, field: number): Attributes {
  return Object.fromEntries(
    messagesOf(message, field).map((pair) => {
      const value = messagesOf(pair, 2)[0]!;
      const text = value.has(1) ? textOf(value, 1) : undefined;
      const flag = value.has(2) ? numberOf(value, 2) === 1 : undefined;
      return [textOf(pair, 1), text ?? flag ?? doubleOf(value, 4) ?? numberOf(value, 3)];
    }),
  );
}
