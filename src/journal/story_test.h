// The whole life of a prompt as events, for the tests of replay and verification.
#pragma once

#include "journal/entry.h"

#include <string>
#include <vector>

namespace imprimatur::journal {

struct Told {
  std::string action;
  std::string actor;
  std::string details;
};

std::string sha(std::string_view text);  // "sha256:…"
std::vector<std::string> members_of(const std::string& details);
std::string without(const std::string& details, const std::string& member);

// Entries with their hashes, a second apart.
std::vector<Entry> chained(const std::string& journal, const std::vector<Told>& story);

std::vector<Told> organisation_story(std::string_view public_key);  // people, and the project prj_1
std::vector<Told> project_story();

}  // namespace imprimatur::journal
