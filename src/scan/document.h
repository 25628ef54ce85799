// A template taken apart: its texts, the variables in them, and what stands around each.
#pragma once

#include "scan/decode.h"
#include "scan/fold.h"
#include "scan/json_reading.h"
#include "scan/scan.h"

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::scan {

// A place in a text where the application puts a value.
struct VariableUse {
  std::string_view name;
  std::size_t start = 0;  // of the whole placeholder, braces included
  std::size_t end = 0;
};

// {{x}}, {{{x}}}, {{$x}}, ${x}, {x} and <%= x %>; block tags such as {{#if x}} are not uses of a value.
// In order of `start`. The only place that knows the syntax.
std::vector<VariableUse> variable_uses(std::string_view text);

// By the words in the name: user_input, email_body, retrieved_docs, ... come from outside.
bool sounds_untrusted(std::string_view name);

// Where in its text a value stands between marks the model can see: a tag of its own, quotes or a fence.
bool is_delimited(std::string_view text, const VariableUse& use);

enum class Origin {
  authored,  // a prompt or a message: values are put into it, and its sentences guard them
  attached,  // descriptions, defaults, the model's names, tools, config, output schema: what they say matters
};

// Which of the characters that readers do not see, or take for others, a text holds at all. Rules about the
// others need not look.
struct StrangeCharacters {
  bool tags = false;
  bool overrides = false;
  bool zero_widths = false;
  bool selectors = false;
  bool styled = false;
  bool other_scripts = false;  // letters of scripts that have look-alikes of Latin ones, and some others
};
StrangeCharacters strange_characters(std::string_view text);

struct Text {
  std::string location;
  std::string_view role;
  std::string_view source;  // as written; spans count its bytes
  std::string_view raw;     // as rules read it; matches count its bytes. Of a JSON text: escapes undone
  std::string_view lines;   // byte for byte like `raw`, with every string of a JSON text on lines of its own
  Origin origin = Origin::authored;
  FoldedText folded;                   // of `lines`
  std::vector<VariableUse> variables;  // where it is authored
  const JsonReading* json = nullptr;   // where `source` and `raw` differ
  StrangeCharacters strange{};         // in `raw`

  std::size_t source_of(std::size_t at) const { return json == nullptr ? at : json->source_of(at); }
};

// Something written in an encoding, and the worst that a rule sees in what it decodes to.
struct Concealed {
  std::size_t text = 0;  // index in Document::texts
  Decoded decoded;
  std::string rule;  // of the worst match inside; empty when no rule sees anything
  Severity severity = Severity::info;
  bool secret = false;  // a credential is in it: not to be shown
};

// What the words of a template say as a whole. Looked up only where something from outside reaches it.
struct Facts {
  bool data_only = false;     // a sentence says that a value is data
  bool confirmation = false;  // a person confirms; only known where `may_act`
  bool may_act = false;       // tools that change things
  bool regulated = false;     // end users in a regulated field
  bool scope = false;         // what is declined; only known where `regulated`
};

struct Document {
  explicit Document(const TemplateView& view);

  const TemplateView& view;
  std::vector<Text> texts;
  std::vector<Concealed> concealed;
  Facts facts;
  bool exposed = false;  // some value comes from outside

  bool is_untrusted(const VariableUse& use) const;

 private:
  void add_texts();
  void add_plain(std::string location, std::string_view role, std::string_view text, Origin origin);
  void add_json(std::string location, std::string_view json);

  std::deque<JsonReading> readings_;  // texts point into them
};

// What a rule saw, in bytes of the raw text.
struct Match {
  std::size_t text = 0;  // index in Document::texts
  std::size_t start = 0;
  std::size_t end = 0;
  Severity severity = Severity::info;
  Framing framing = Framing::active;
  std::string detail;    // added to the description: what is missing, what was decoded
  std::string evidence;  // replaces the excerpt of the text when it says more
};

}  // namespace imprimatur::scan
