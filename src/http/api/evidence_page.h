// The evidence of a release as a page for people: everything of the statement, to be read, printed and kept.
#pragma once

#include "evidence/evidence.h"

#include <string>
#include <string_view>

namespace imprimatur::http {

// One HTML document without scripts and without anything from elsewhere. Names, texts and comments come from
// whoever wrote them, and stand there as text.
std::string evidence_page(const evidence::ReleaseEvidence& evidence);
// The Content-Security-Policy it lives under: its own style and nothing else.
std::string evidence_page_policy();

// `text` between tags or in quotes: as characters, never as markup. Control characters, and those that turn
// the direction of text, become U+FFFD.
std::string html_text(std::string_view text);

}  // namespace imprimatur::http
