/**
 * Changes a live set: the only code of holdfast that does. Types: change-types.ts.
 */
import type { Ledger } from "../../ledger/ledger.ts";
import type { NonEmpty } from "../../model/result/verdict.ts";
import type { ChangeMethod } from "../../model/result/remedy.ts";
import type { HoldProcesses } from "../hold-processes.ts";
import type {
  AboutChange,
  ChangeOutcome,
  ChangeRequest,
  FoundChange,
  KeptOriginal,
  OriginalFile,
  OriginalPlace,
  RecoveredChange,
  UndoRequest,
} from "./change-types.ts";

/** A new id. Ids sort by time. */
export declare function newChangeId(): AboutChange["change"];

/** `in-place` if the file is mounted by itself, whatever was asked; else what was asked, or `swap`. */
export declare function methodFor(path: string, asked: ChangeMethod | null): ChangeMethod;

/** What a change costs: for the plan. `companionBytes`: of WAL and journal. */
export declare function estimateChange(
  files: NonEmpty<{ mainBytes: number; companionBytes: number; mendedBytes: number }>,
  method: ChangeMethod,
): {
  readonly predictedPauseMs: number;
  readonly needsBytes: number;
};

/**
 * Keeps the originals of a change: copies them durably, and compares them with the digests of the snapshots. Checks
 * first that there is room for all that the change will write.
 * @throws {Failure} NO_SPACE, SNAPSHOT_UNSAFE
 */
export declare function keepOriginal(
  files: NonEmpty<OriginalFile>,
  place: OriginalPlace,
  about: AboutChange,
  signal: AbortSignal,
): Promise<KeptOriginal>;

/** @throws {Failure} INTERRUPTED */
export declare function change(
  request: ChangeRequest,
  processes: HoldProcesses,
  signal: AbortSignal,
): Promise<ChangeOutcome>;

/** Puts the kept set back. @throws {Failure} INTERRUPTED */
export declare function undo(
  request: UndoRequest,
  processes: HoldProcesses,
  signal: AbortSignal,
): Promise<ChangeOutcome>;

/** The changes whose records lie there, the newest first. */
export declare function findChanges(place: OriginalPlace): Promise<readonly FoundChange[]>;

/** Finishes or rolls back what dead runs left, and removes their own files. @param ledger null: nothing is recorded */
export declare function recoverChanges(
  place: OriginalPlace,
  ledger: Pick<Ledger, "append"> | null,
): Promise<readonly RecoveredChange[]>;
