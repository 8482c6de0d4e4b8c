/** Leaderboards: the best score of each player counts, the highest is first, ranks are from 0. */
import { problem, Refusal } from './answers.js';

export interface Leaderboard {
  id: number;
  /** Players may submit for themselves; default false: only a secret key may. */
  clientSubmissions?: boolean;
  scoreMin?: number;
  scoreMax?: number;
}

export interface Submission {
  boardId: number;
  playerId: number;
  score: number;
  metadata?: object;
}

interface Entry {
  player_id: number;
  score: number;
  rank: number;
  metadata?: object;
}

export class Scoreboards {
  /** As they came in. */
  readonly submissions: Submission[] = [];
  readonly #boards = new Map<number, Leaderboard>();

  add(board: Leaderboard): void {
    this.#boards.set(board.id, board);
  }

  submit(submission: Submission, isByServer: boolean): void {
    const board = this.#boardOf(submission.boardId);
    if (!isByServer) requireClientSubmission(board, submission.score);
    this.submissions.push(submission);
  }

  top(boardId: number, limit: number): object {
    return { entries: this.#ranked(boardId).slice(0, limit) };
  }

  /** Who is within `radius` places of the player; nobody, and −1, when there is no score of it. */
  aroundMe(boardId: number, playerId: number, radius: number): object {
    const ranked = this.#ranked(boardId);
    const rank = ranked.findIndex((entry) => entry.player_id === playerId);
    const entries = rank < 0 ? [] : ranked.slice(Math.max(0, rank - radius), rank + radius + 1);
    return { entries, self_rank: rank };
  }

  /** Of equal scores that of the older player is first. */
  #ranked(boardId: number): Entry[] {
    this.#boardOf(boardId);
    const best = new Map<number, Submission>();
    for (const submission of this.submissions) {
      const { playerId, score } = submission;
      const isBetter = score > (best.get(playerId)?.score ?? Number.NEGATIVE_INFINITY);
      if (submission.boardId === boardId && isBetter) best.set(playerId, submission);
    }
    const sorted = [...best.values()].sort((a, b) => b.score - a.score || a.playerId - b.playerId);
    return sorted.map(({ playerId, score, metadata }, rank) => ({
      player_id: playerId,
      score,
      rank,
      ...(metadata && { metadata }),
    }));
  }

  #boardOf(id: number): Leaderboard {
    const board = this.#boards.get(id);
    if (board === undefined) throw new Refusal(problem(404, 'leaderboard not found'));
    return board;
  }
}

/** Bounds are for players; a server knows what it does. */
function requireClientSubmission(board: Leaderboard, score: number): void {
  const refuse = (status: number, detail: string) => new Refusal(problem(status, detail));
  if (board.clientSubmissions !== true) {
    throw refuse(403, 'score submission is server-authoritative on this leaderboard');
  }
  const { scoreMin = Number.NEGATIVE_INFINITY, scoreMax = Number.POSITIVE_INFINITY } = board;
  if (score < scoreMin) throw refuse(422, 'score below the leaderboard minimum');
  if (score > scoreMax) throw refuse(422, 'score above the leaderboard maximum');
}
