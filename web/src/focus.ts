/**
 * Moves the focus to `element` when nothing has it: the card that held it has just given way to another. Focus that
 * somebody has moved elsewhere stays there.
 */
export function focusWhenLost(element: HTMLElement | null): void {
  const active = document.activeElement;
  if (active === null || active === document.body) element?.focus({ preventScroll: true });
}
