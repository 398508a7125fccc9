/** The house's mark: a top hat in a gold ring. */
export function TopHat() {
  return (
    <svg class="hat" viewBox="0 0 48 48" width="38" height="38" aria-hidden="true" focusable="false">
      <circle class="hat__ring" cx="24" cy="24" r="21.5" />
      <path
        class="hat__felt"
        d="M15.5 12.5c0-1.300 3.800-2.300 8.5-2.300s8.5 1 8.5 2.300l-.9 17.300H16.400l-.9-17.300Z"
      />
      <path class="hat__band" d="M16.200 25.300h15.600l-.2 4.5H16.400l-.2-4.5Z" />
      <path
        class="hat__felt"
        d="M9.5 29.5c2 2.200 7.700 3.700 14.5 3.700s12.5-1.5 14.5-3.700c1 3.800-5.300 7.300-14.5 7.300S8.5 33.300 9.5 29.5Z"
      />
    </svg>
  );
}
