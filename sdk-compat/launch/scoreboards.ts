/** Leaderboards: the best score of each player counts. */
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
    this.#boardOf(boardId);
    const best = new Map<number, Submission>();
    for (const submission of this.submissions) {
      const { playerId, score } = submission;
      const isBetter = score > (best.get(playerId)?.score ?? Number.NEGATIVE_INFINITY);
      if (submission.boardId === boardId && isBetter) best.set(playerId, submission);
    }
    const sorted = [...best.values()].sort((a, b) => b.score - a.score).slice(0, limit);
    const entries = sorted.map(({ playerId, score, metadata }, index) => ({
      player_id: playerId,
      score,
      rank: index + 1,
      ...(metadata && { metadata }),
    }));
    return { entries };
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
