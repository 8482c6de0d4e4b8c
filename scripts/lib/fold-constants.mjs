// Writes the value of a constant number where its name stands.
//
// V8 loads an imported or module-level `const` from memory at each use; it never takes its value for
// granted, not even in optimised code. The protocol names every word of its flow state, so a packet
// would load a few hundred names (docs/adr/0010-constants-are-folded.md).
//
// Folded is each use of a `const` at the top level of one of the program's own modules whose value
// is a finite number made of literals, other such constants and arithmetic. The declaration stays,
// for importers outside the program. Nothing else changes: the meaning of the program, the
// declaration files and the line numbers are the same with and without.
import ts from 'typescript';

/** A transformer for `program.emit`. */
export function foldConstants(program) {
  const constants = new Constants(program.getTypeChecker());
  return (context) => (sourceFile) => {
    const visit = (node) => {
      if (keepsNames(node)) return node;
      const value = isUse(node) ? constants.valueOf(node) : undefined;
      return value === undefined ? ts.visitEachChild(node, visit, context) : literal(value, node);
    };
    return ts.visitNode(sourceFile, visit);
  };
}

function keepsNames(node) {
  return ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTypeNode(node);
}

/** `NAME` or `module.NAME`, but not the name that a declaration gives. */
function isUse(node) {
  if (ts.isPropertyAccessExpression(node)) return ts.isIdentifier(node.expression);
  return (
    ts.isIdentifier(node) && !(ts.isVariableDeclaration(node.parent) && node.parent.name === node)
  );
}

/** The number, and its name in a comment for whoever reads the output. */
function literal(value, node) {
  const digits = ts.factory.createNumericLiteral(Math.abs(value));
  const signed =
    value < 0
      ? ts.factory.createParenthesizedExpression(
          ts.factory.createPrefixUnaryExpression(ts.SyntaxKind.MinusToken, digits),
        )
      : digits;
  const comment = ts.SyntaxKind.MultiLineCommentTrivia;
  return ts.addSyntheticTrailingComment(signed, comment, ` ${node.getText()} `);
}

class Constants {
  #checker;
  /** By symbol; undefined while it is being worked out, and when it is no constant. */
  #values = new Map();

  constructor(checker) {
    this.#checker = checker;
  }

  /** The number that the name stands for, or undefined. */
  valueOf(node) {
    const name = ts.isPropertyAccessExpression(node) ? node.name : node;
    let symbol = this.#checker.getSymbolAtLocation(name);
    if (symbol === undefined) return undefined;
    if (symbol.flags & ts.SymbolFlags.Alias) symbol = this.#checker.getAliasedSymbol(symbol);
    if (!this.#values.has(symbol)) {
      this.#values.set(symbol, undefined);
      this.#values.set(symbol, this.#declared(symbol.valueDeclaration));
    }
    return this.#values.get(symbol);
  }

  #declared(declaration) {
    if (declaration === undefined || !ts.isVariableDeclaration(declaration)) return undefined;
    if (declaration.initializer === undefined) return undefined;
    const statement = declaration.parent.parent;
    const isConstant =
      (ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.BlockScoped) === ts.NodeFlags.Const;
    if (!isConstant || !ts.isVariableStatement(statement)) return undefined;
    if (!ts.isSourceFile(statement.parent) || statement.parent.isDeclarationFile) return undefined;
    const value = this.#evaluate(declaration.initializer);
    return Number.isFinite(value) && !Object.is(value, -0) ? value : undefined;
  }

  /** NaN for whatever is not arithmetic on numbers. */
  #evaluate(node) {
    if (ts.isNumericLiteral(node)) return Number(node.text);
    if (ts.isParenthesizedExpression(node)) return this.#evaluate(node.expression);
    if (ts.isPrefixUnaryExpression(node)) {
      const operation = unary.get(node.operator);
      return operation === undefined ? Number.NaN : operation(this.#evaluate(node.operand));
    }
    if (ts.isBinaryExpression(node)) {
      const operation = binary.get(node.operatorToken.kind);
      const [left, right] = [this.#evaluate(node.left), this.#evaluate(node.right)];
      // Shifts and masks would turn NaN into a number.
      if (operation === undefined || Number.isNaN(left) || Number.isNaN(right)) return Number.NaN;
      return operation(left, right);
    }
    return isUse(node) ? (this.valueOf(node) ?? Number.NaN) : Number.NaN;
  }
}

const { SyntaxKind } = ts;

const unary = new Map([
  [SyntaxKind.MinusToken, (a) => -a],
  [SyntaxKind.PlusToken, (a) => a],
]);

const binary = new Map([
  [SyntaxKind.PlusToken, (a, b) => a + b],
  [SyntaxKind.MinusToken, (a, b) => a - b],
  [SyntaxKind.AsteriskToken, (a, b) => a * b],
  [SyntaxKind.AsteriskAsteriskToken, (a, b) => a ** b],
  [SyntaxKind.SlashToken, (a, b) => a / b],
  [SyntaxKind.PercentToken, (a, b) => a % b],
  [SyntaxKind.LessThanLessThanToken, (a, b) => a << b],
  [SyntaxKind.GreaterThanGreaterThanToken, (a, b) => a >> b],
  [SyntaxKind.GreaterThanGreaterThanGreaterThanToken, (a, b) => a >>> b],
  [SyntaxKind.AmpersandToken, (a, b) => a & b],
  [SyntaxKind.BarToken, (a, b) => a | b],
  [SyntaxKind.CaretToken, (a, b) => a ^ b],
]);
