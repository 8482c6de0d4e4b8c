/** The program behind `npm run bench:micro`. */
import { main } from './operations/main.js';

main(process.argv.slice(2));
