import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";

/** Which process a span or a metric is of. */
export interface TelemetryPlace {
  /** The name of the service, the same on every node. */
  service: string;
  /** This process. */
  instance: string;
}

export function resourceOf({ service, instance }: TelemetryPlace): Resource {
  return resourceFromAttributes({ "service.name": service, "service.instance.id": instance });
}
