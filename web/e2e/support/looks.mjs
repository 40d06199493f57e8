// How a page can be looked at: three widths, light and dark.

export const WIDTHS = {
  wide: { width: 1280, height: 800 },
  medium: { width: 800, height: 900 },
  narrow: { width: 360, height: 720 },
};
export const SCHEMES = ["light", "dark"];

/** Every look, by name. */
export const LOOKS = Object.keys(WIDTHS).flatMap((width) => SCHEMES.map((scheme) => ({ name: `${width}-${scheme}`, width, scheme })));

/** What a page in this state can be looked at in. */
export const looksOf = (state) => LOOKS.filter((look) => !state.widths || state.widths.includes(look.width));

/** Gives the page a look; on a narrow one opens the sheet that the state is about. */
export async function look(person, state, { width, scheme }) {
  const { page } = person;
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  await page.setViewportSize(WIDTHS[width]);
  const sheet = state.sheet && page.getByRole("button", { name: state.sheet });
  if (sheet && width === "narrow" && (await sheet.getAttribute("aria-expanded")) === "false") await sheet.click();
  await page.evaluate(() => document.activeElement?.blur());
  await state.focus?.(person);
}
