import type { RoleAnswer, RunnerInstruction, RunnerReport, Upstream } from '@ha-postgres/cluster-state';
import { isSameJson, messageOf, nanosTextToMillis, type Log, type Millis, type Timer } from '@ha-postgres/service-kit';
import { COPY_AGAIN, failed, NO_FAILURE, RESTART, RETRY, type Backoff } from './core/backoff';
import { rest, type Facts, type Problem, type Step, type Task } from './core/facts';
import { accept, endedAsAsked, endedUnasked, hold, isDeadlinePassed, NEW_MEMORY, whyIgnored } from './core/memory';
import type { Memory } from './core/memory';
import { plan } from './core/plan';
import { newsOf } from './core/report-news';
import { isAborted } from './core/stop-rules';
import { runningData, type Inspected } from './disk/inspect';
import type { RunnerState } from './disk/runner-state';
import type { RunnerMachine } from './machine';
import type { PostmasterExit, RunningPostmaster } from './postgres/postmaster';
import { exitProblem, reportOf } from './report';
import type { RoleServerClient } from './role-server-client';
import type { Server } from './server';

/** How often the clock and PostgreSQL's files are looked at. Timers can be late, so the deadline's own is not enough. */
const TICK_MS = 50;
const REPORT_EVERY_MS = 1_000;
/** PostgreSQL that ran so long is not failing any more. */
const SETTLED_MS = 10_000;
/** A plan that never comes to rest is a mistake in the rules. */
const STEPS_MAX = 10;
/** A directory that was rewound is started so often before it is given up. */
const REWOUND_STARTS = 3;

interface RunningTask {
  readonly task: Task;
  readonly abort: AbortController;
  ending: boolean;
}

/** What a class offers: whoever offers the same can stand in its place. */
type Offered<T> = { readonly [K in keyof T]: T[K] };

export interface RunnerParts {
  readonly node: string;
  readonly state: Offered<RunnerState>;
  readonly server: Offered<Server>;
  readonly client: Offered<RoleServerClient>;
  readonly machine: RunnerMachine;
  readonly log: Log;
  /** The program is wrong: end it. The guard then ends PostgreSQL. */
  readonly fail: (error: unknown) => void;
}

/** One loop over few inputs: an answer, the postmaster's exit, a task's end, the clock, the request to stop. */
export class Runner {
  readonly #parts: RunnerParts;
  readonly #idle: (() => void)[] = [];
  #memory: Memory;
  #step: Step = rest('waiting');
  #rule = '';
  #postmaster: RunningPostmaster | null = null;
  #exit: PostmasterExit | null = null;
  #task: RunningTask | null = null;
  #killing = false;
  #exiting = false;
  #backoff: Backoff = NO_FAILURE;
  /** Copies that were discarded since the data was proven last. */
  #copies: Backoff = NO_FAILURE;
  #failure: Problem | null = null;
  #progress: RunnerReport['progress'] = null;
  #data: Inspected;
  #told: object = {};
  #sentAt = 0;
  #ticker: Timer | null = null;
  #deadline: Timer | null = null;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#memory = NEW_MEMORY;
    this.#data = this.#inspect();
  }

  /** Kills what an earlier runner left, then asks for the role and obeys. */
  async start(): Promise<void> {
    const { client, machine } = this.#parts;
    await machine.killAll();
    this.#tickLater();
    this.#wake();
    void client.poll({
      index: () => this.#memory.answer?.index ?? 0,
      onAnswer: (answer) => this.#guarded(() => this.#take(answer)) ?? false,
    });
  }

  /** Stops PostgreSQL clean, within the bound, and reports that nothing is left. */
  async stop(): Promise<void> {
    this.#exiting = true;
    const stopped = new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#wake();
    await stopped;
    this.#ticker?.cancel();
    this.#deadline?.cancel();
    await this.#parts.client.flush();
    this.#parts.client.close();
  }

  #now(): number {
    return this.#parts.machine.clock.now();
  }

  #tickLater(): void {
    this.#ticker = this.#parts.machine.clock.schedule(TICK_MS, () => {
      this.#tickLater();
      this.#guarded(() => this.#tick());
    });
  }

  #guarded<T>(input: () => T): T | undefined {
    try {
      return input();
    } catch (error) {
      this.#parts.fail(error);
      return undefined;
    }
  }

  /** True if the answer is news. */
  #take(answer: RoleAnswer): boolean {
    const { node, machine, log } = this.#parts;
    const why = whyIgnored(this.#memory, answer, { node, bootId: machine.bootId });
    if (why !== null) {
      if (answer.index !== this.#memory.answer?.index)
        log.warn({ event: 'answer.ignored', why }, `answer ignored: ${why}`);
      return false;
    }
    // After a freeze the answer may have been waiting for us: the old deadline comes first.
    if (isDeadlinePassed(this.#memory, this.#now())) this.#wake();
    const before = this.#memory.answer?.instruction ?? null;
    this.#memory = accept(this.#memory, answer);
    this.#forgetRejoin(answer.instruction.kind);
    if (!isSameJson(before, answer.instruction)) {
      log.info(
        { event: 'instruction.changed', index: answer.index, instruction: answer.instruction },
        'new instruction',
      );
      this.#backoff = NO_FAILURE;
    }
    this.#setDeadlineTimer();
    this.#wake();
    return true;
  }

  /** Told to follow, or to lead: the new data is proven. One that is neither old nor new stays marked until it is replaced. */
  #forgetRejoin(kind: RunnerInstruction['kind']): void {
    const { state, machine } = this.#parts;
    const { rejoin } = state.marks;
    if ((kind !== 'follow' && kind !== 'lead') || rejoin === null || rejoin.stage === 'unfinished') return;
    state.update({ rejoin: null });
    this.#copies = NO_FAILURE;
    machine.removeReplaced();
  }

  /**
   * What is in the data directory is a member's, and no part of a rejoin. Then nobody needs what an exchange of the directory kept: it may
   * lie there still if the runner was killed between the two renames, and the node was cloned as an empty one.
   */
  #isProven(now: Millis): boolean {
    const postmaster = this.#postmaster;
    if (postmaster?.isReady !== true || postmaster.walGone !== null) return false;
    const instruction = this.#memory.answer?.instruction;
    const isMember = instruction?.kind === 'lead' || (instruction?.kind === 'follow' && instruction.upstream !== null);
    return isMember && this.#parts.state.marks.rejoin === null && now - postmaster.startedAt > SETTLED_MS;
  }

  #setDeadlineTimer(): void {
    this.#deadline?.cancel();
    const { armed } = this.#memory;
    if (armed === null) return;
    const inMs = Math.max(0, Math.ceil(nanosTextToMillis(armed.validUntil) - this.#now()));
    this.#deadline = this.#parts.machine.clock.schedule(Math.min(inMs, 2 ** 31 - 1), () =>
      this.#guarded(() => this.#wake()),
    );
  }

  #tick(): void {
    const now = this.#now();
    const postmaster = this.#postmaster;
    const isDue = now - this.#sentAt >= REPORT_EVERY_MS;
    const isRetry = this.#backoff.failures > 0 && now >= this.#backoff.retryAt && postmaster === null;
    const hasChanged = postmaster?.poll() ?? false;
    if (postmaster?.isReady === true) {
      if (hasChanged) this.#failure = null;
      if (now - postmaster.startedAt > SETTLED_MS) this.#backoff = NO_FAILURE;
    }
    if (postmaster?.inRecovery === true) this.#parts.server.endUnwantedReceivers();
    if (isDue && postmaster?.isReady === true) this.#parts.server.takeBackAltered(postmaster);
    if (isDue && this.#isProven(now)) this.#parts.machine.removeReplaced();
    if (hasChanged || isDue || isRetry || isDeadlinePassed(this.#memory, now)) this.#wake();
  }

  /** Plans and acts until there is nothing more to do now; then tells. */
  #wake(): void {
    for (let steps = 0; ; steps += 1) {
      if (steps === STEPS_MAX) throw new Error(`the plan does not come to rest: ${this.#rule} ${this.#step.kind}`);
      const { rule, step } = plan(this.#facts());
      this.#note(rule, step);
      if (step.kind === 'rest' || step.kind === 'carryOn') break;
      this.#act(step);
    }
    if (this.#step.kind === 'carryOn' || (this.#step.kind === 'rest' && this.#step.obeyed)) {
      this.#memory = { ...this.#memory, obeysIndex: this.#memory.answer?.index ?? 0 };
    }
    this.#report();
    const isIdle = this.#postmaster === null && this.#task === null && !this.#killing;
    if (this.#exiting && isIdle) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #facts(): Facts {
    const postmaster = this.#postmaster;
    this.#data = postmaster === null ? this.#inspect() : this.#runningData(postmaster);
    return {
      now: this.#now(),
      memory: this.#memory,
      exiting: this.#exiting,
      killing: this.#killing,
      task: this.#task === null ? null : { ...this.#task.task, ending: this.#task.ending },
      postgres:
        postmaster === null
          ? null
          : {
              ready: postmaster.isReady,
              inRecovery: postmaster.inRecovery,
              upstream: postmaster.upstream,
              walGone: postmaster.walGone !== null,
            },
      data: this.#data,
      settings: this.#parts.server.settings,
      rejoin: this.#parts.state.marks.rejoin,
      divergence: this.#parts.state.marks.divergence,
      retryAt: Math.max(this.#backoff.retryAt, this.#copyAgainAt()),
    };
  }

  #runningData({ control }: RunningPostmaster): Inspected {
    const timelines = this.#parts.machine.timelines?.();
    return { ...runningData(control), ...(timelines === undefined ? {} : { timelines }) };
  }

  #inspect(): Inspected {
    const { state, machine } = this.#parts;
    const data = machine.inspect(state.marks);
    // Emptied from outside: what is put there next is not what the mark was about.
    const isMarked = state.marks.mark !== null || state.marks.rejoin !== null;
    if (data.state === 'empty' && isMarked && this.#task === null) state.update({ mark: null, rejoin: null });
    return data;
  }

  #note(rule: string, step: Step): void {
    const problem = step.kind === 'rest' ? step.problem : null;
    const known = this.#step.kind === 'rest' ? this.#step.problem : null;
    const { log } = this.#parts;
    if (problem !== null && problem.code !== known?.code) {
      log.error({ event: 'postgres.refused', rule, code: problem.code }, problem.message);
    }
    if (step.kind !== this.#step.kind || rule !== this.#rule) log.debug({ event: 'plan', rule, step }, rule);
    this.#rule = rule;
    this.#step = step;
  }

  #act(step: Exclude<Step, { kind: 'rest' | 'carryOn' }>): void {
    switch (step.kind) {
      case 'kill':
        this.#parts.log.warn({ event: 'fence.kill', rule: this.#rule, why: step.why }, 'killing PostgreSQL');
        this.#kill();
        if (step.hold) this.#memory = hold(this.#memory);
        return;
      case 'abort':
        this.#parts.log.info({ event: 'task.aborted', task: this.#task?.task.kind, why: step.why }, 'task aborted');
        this.#abortTask();
        return;
      case 'begin':
        this.#begin(step.task);
        return;
      case 'start':
        this.#start(step.as, step.upstream);
        return;
      case 'repoint':
        if (this.#postmaster !== null) this.#parts.server.repoint(this.#postmaster, step.upstream);
        return;
      case 'configure':
        this.#parts.server.configure(step.settings, this.#postmaster);
        return;
      case 'discardCopy':
        this.#discardCopy();
    }
  }

  /** Another copy begins then, where the one before was of no use. */
  #copyAgainAt(): Millis {
    return this.#parts.state.marks.rejoin?.stage === 'unfinished' ? this.#copies.retryAt : 0;
  }

  #discardCopy(): void {
    const { state, log } = this.#parts;
    const { rejoin } = state.marks;
    this.#copies = failed(this.#copies, this.#now(), COPY_AGAIN);
    if (rejoin !== null) state.update({ rejoin: { ...rejoin, stage: 'unfinished' } });
    log.warn(
      { event: 'rejoin.copy-discarded', term: rejoin?.term, copies: this.#copies.failures },
      'what was rewound or copied is of no use: a copy is taken',
    );
  }

  #abortTask(): void {
    if (this.#task === null || this.#task.ending) return;
    this.#task.ending = true;
    this.#task.abort.abort(new Error('aborted'));
  }

  /** The signals are sent before this returns. */
  #kill(): void {
    if (this.#postmaster !== null) this.#postmaster.asked = true;
    if (this.#killing) return;
    this.#killing = true;
    const gone = this.#parts.machine.killAll();
    if (this.#task !== null && isAborted(this.#task.task)) this.#abortTask();
    void Promise.all([gone, this.#postmaster?.exited]).then(() =>
      this.#guarded(() => {
        this.#killing = false;
        this.#wake();
      }),
    );
  }

  #begin(task: Task): void {
    const running: RunningTask = { task, abort: new AbortController(), ending: false };
    this.#task = running;
    const onProgress = (what: string, percent: number | null) => this.#setProgress(what, percent);
    const context = { postmaster: this.#postmaster, signal: running.abort.signal };
    void this.#parts.machine
      .carryOut(task, context, onProgress)
      .then((problem) => this.#guarded(() => this.#ended(running, problem)));
  }

  #setProgress(what: string, percent: number | null): void {
    if (this.#progress?.what === what && this.#progress.percent === percent) return;
    this.#progress = { what, percent };
    this.#parts.log.info({ event: 'task.progress', what, percent }, percent === null ? what : `${what}: ${percent} %`);
    this.#report();
  }

  #ended({ task, ending }: RunningTask, problem: Problem | null): void {
    const { log } = this.#parts;
    this.#task = null;
    this.#progress = null;
    if (problem === null) {
      this.#backoff = NO_FAILURE;
      this.#failure = null;
    } else if (!ending) {
      this.#failure = problem;
      this.#backoff = failed(this.#backoff, this.#now(), RETRY);
      log.error({ event: 'task.failed', task: task.kind, code: problem.code }, problem.message);
    }
    this.#wake();
  }

  #start(as: 'standby' | 'itself', upstream: Upstream | null): void {
    const { state, server } = this.#parts;
    try {
      // From now on it is a member's data, whatever happens next.
      const systemId = state.marks.systemId ?? this.#data.systemId;
      if (as === 'itself') state.update({ mark: null, systemId: this.#data.systemId });
      else if (systemId !== state.marks.systemId) state.update({ systemId });
      const postmaster = server.start(as, upstream);
      this.#postmaster = postmaster;
      void postmaster.exited.then((exit) => this.#guarded(() => this.#exited(postmaster, exit)));
    } catch (error) {
      this.#failure = { code: 'HAPG_POSTGRES_START_FAILED', message: messageOf(error) };
      this.#backoff = failed(this.#backoff, this.#now(), RESTART);
      this.#parts.log.error({ event: 'postgres.start_failed', err: messageOf(error) }, 'PostgreSQL was not started');
    }
  }

  #exited(postmaster: RunningPostmaster, exit: PostmasterExit): void {
    const { log, server } = this.#parts;
    this.#postmaster = null;
    this.#exit = exit;
    server.forget();
    log[exit.asked ? 'info' : 'error']({ event: 'postgres.exited', ...exit }, 'PostgreSQL has ended');
    if (exit.asked) this.#memory = endedAsAsked(this.#memory);
    else {
      this.#memory = endedUnasked(this.#memory);
      this.#backoff = failed(this.#backoff, exit.at, RESTART);
      this.#failure = exitProblem(postmaster.lastFatal, exit);
      this.#giveUpRewound();
    }
    // Its backends are sessions of their own: one of them can still commit and answer its client.
    this.#kill();
    this.#wake();
    if (exit.asked) return;
    // Its last words may still have been in the pipe.
    this.#parts.machine.clock.schedule(LAST_WORDS_MS, () => {
      if (this.#postmaster === null) this.#failure = exitProblem(postmaster.lastFatal, exit);
    });
  }

  /** It was rewound and does not come up: recovery ends before what it needs, or is impossible. Only a base backup helps. */
  #giveUpRewound(): void {
    const { state, log } = this.#parts;
    const { rejoin } = state.marks;
    if (rejoin?.stage !== 'rewound' || this.#backoff.failures < REWOUND_STARTS) return;
    log.error({ event: 'rejoin.rewound-fails', failures: this.#backoff.failures }, 'what was rewound does not start');
    state.update({ rejoin: { ...rejoin, stage: 'unfinished' } });
  }

  #report(): void {
    const report = reportOf({
      incarnation: this.#parts.machine.incarnation,
      bootId: this.#parts.machine.bootId,
      memory: this.#memory,
      step: this.#step,
      exiting: this.#exiting,
      killing: this.#killing,
      task: this.#task?.task ?? null,
      postmaster: this.#postmaster,
      exit: this.#exit,
      receivingFrom: this.#postmaster?.upstream?.node ?? null,
      settings: this.#parts.server.settings,
      data: this.#data,
      progress: this.#progress,
      failure: this.#failure,
      rejoin: this.#parts.state.marks.rejoin,
      divergence: this.#parts.state.marks.divergence,
    });
    const news = newsOf(report, this.#memory.answer);
    const now = this.#now();
    if (now - this.#sentAt < REPORT_EVERY_MS && isSameJson(news, this.#told)) return;
    this.#told = news;
    this.#sentAt = now;
    this.#parts.client.post(report);
  }
}

const LAST_WORDS_MS = 50;
