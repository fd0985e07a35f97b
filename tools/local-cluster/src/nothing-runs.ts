/** Something is to be done to processes of which there are none at this moment. */
export class NothingRuns extends RangeError {}

/** Whether there was something to do it to: what was found running may end a moment before. @throws what it throws else. */
export async function unlessNothingRuns(does: () => Promise<void>): Promise<boolean> {
  try {
    await does();
    return true;
  } catch (error) {
    if (error instanceof NothingRuns) return false;
    throw error;
  }
}
