// From findings to one number and a status. Integers only, so that every build agrees.
#pragma once

#include "scan/finding.h"

#include <vector>

namespace imprimatur::scan {

// How much a weakness matters here, in per cent: what reaches the template, and what it can do.
struct Exposure {
  int per_cent = 100;
};

// Tenths, 0 to 100. In each category the strongest finding counts, weaker categories half, a quarter, ... of
// what they would alone; the worst severity sets the range. Adding a finding never lowers it.
int score_of(const std::vector<Finding>& findings, Exposure exposure);

// pass below 4.0, warn below 7.0, fail from there and with any CRITICAL finding.
ScanStatus status_of(const std::vector<Finding>& findings, int score);

}  // namespace imprimatur::scan
