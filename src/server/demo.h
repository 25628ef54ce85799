// People, a project and prompts to play with.
#pragma once

#include "base/result.h"
#include "server/app.h"

#include <string>
#include <string_view>

namespace imprimatur::server {

inline constexpr std::string_view kDemoPassword = "imprimatur-demo";
inline constexpr std::string_view kDemoProject = "demo";

struct Demo {
  std::string key;   // runtime:read, for a day
  std::string next;  // what ben may do now: the end of a command line
};

// Through the services, as anybody would: nothing is written behind the journal's back. The project and its
// people are made once; the key anew each time, because a key is shown once. Precondition: the first admin's
// password is kDemoPassword, or the project is there already.
Result<Demo> make_demo(App& app, const std::string& admin_password, Time now);
// The accounts, and three commands that work as they stand in the directory that the program was started in.
std::string demo_words(const std::string& address, const Demo& demo);

}  // namespace imprimatur::server
