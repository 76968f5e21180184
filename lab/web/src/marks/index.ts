// The kinds of marks by the names that Python gives them.
import type { Mark } from "../types";
import type { Drawn } from "./base";
import { Bars, Field, Images, Matrix } from "./cells";
import { Cloud } from "./cloud";
import { Area, Arrows, Line, RuleLine, Segments, Texts } from "./lines";
import { Network } from "./network";
import { Points } from "./points";

const KINDS: Record<string, new (mark: Mark) => Drawn> = {
  points: Points, line: Line, segments: Segments, arrows: Arrows, area: Area, ruleline: RuleLine, texts: Texts,
  field: Field, bars: Bars, matrix: Matrix, images: Images, network: Network, cloud: Cloud,
};

export function drawn(mark: Mark): Drawn {
  const kind = KINDS[mark.mark];
  if (!kind) throw new Error(`no mark is called ${mark.mark}`);
  return new kind(mark);
}
