// Answers of the API in words, for people.
#pragma once

#include "cli/console.h"

#include <string>

#include <boost/json/fwd.hpp>

namespace imprimatur::cli {

// `from` and `to` say what was compared.
void render_diff(const Console& console, const boost::json::value& diff, const std::string& from,
                 const std::string& to);
// Lines added and removed, "+3 -1".
std::string diff_size(const boost::json::value& diff);

// Whom it is for, what is in it and what the gate says.
void render_review(const Console& console, const boost::json::value& review);
// Comment and verdicts.
void render_talk(const Console& console, const boost::json::value& review);
// One line of a list.
void render_review_line(const Console& console, const boost::json::value& review);
// "greeting version 2, farewell version 1".
std::string items_of(const boost::json::value& review);
void render_gate(const Console& console, const boost::json::value& gate);

// The head of a version, and everything it holds.
void render_version(const Console& console, const boost::json::value& version);
// What the application gets of a version that includes others.
void render_effective(const Console& console, const boost::json::value& effective);

void render_release(const Console& console, const boost::json::value& release);

}  // namespace imprimatur::cli
