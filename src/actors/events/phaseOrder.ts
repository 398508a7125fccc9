/**
 * Whether what is told of an event's phase may be news, by the order in which its kind goes through them: an event that is heard
 * late, of an owner that has died since, may be of a phase that is over.
 */
export function mayFollow<Phase>(order: readonly Phase[], known: Phase, told: Phase): boolean {
  return order.indexOf(told) >= order.indexOf(known);
}
