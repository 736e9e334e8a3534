// npm run bench:nodes: real Nodes of the other majors, for the tests and benches that compare them.
import { nodeBinary } from './programs';

for (const major of ['20', '22', '24', '26']) console.log(nodeBinary(major));
