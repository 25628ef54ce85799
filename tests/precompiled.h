// What most tests read, precompiled once for all test programs.
#pragma once

#include "base/precompiled.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
