// CHECK: a bug aborts, in every build.
#pragma once

#include <string_view>

namespace imprimatur {

[[noreturn]] void check_failed(const char* expression, const char* file, int line, std::string_view detail);

}  // namespace imprimatur

#define CHECK(condition, ...)                                                                    \
  do {                                                                                           \
    if (!(condition)) [[unlikely]]                                                               \
      ::imprimatur::check_failed(#condition, __FILE__, __LINE__, std::string_view{__VA_ARGS__}); \
  } while (false)
