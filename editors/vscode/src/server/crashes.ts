/** How often the server may end by itself before it is left alone. */

const WITHIN = 3 * 60_000;
/** Two restarts: a server that ends every minute is noticed, too. */
const MOST = 3;

export class Crashes {
  private times: number[] = [];

  constructor(private readonly now: () => number = Date.now) {}

  /** Notes one more; whether the server may be started again by itself. */
  add(): boolean {
    const now = this.now();
    this.times = [...this.times.filter((time) => now - time < WITHIN), now];
    return this.times.length < MOST;
  }

  /** The user starts it: what was before does not count. */
  forget(): void {
    this.times = [];
  }
}
