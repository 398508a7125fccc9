/** A four-pointed sparkle. */
export function Star({ class: name }: { class: string }) {
  return (
    <svg class={name} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d="M10 0c.9 6 3.9 9.1 10 10-6.1.9-9.1 4-10 10-.9-6-3.9-9.1-10-10 6.1-.9 9.1-4 10-10Z" />
    </svg>
  );
}
