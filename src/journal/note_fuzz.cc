// Whatever is read as a note or a key is written as it was read, and a checkpoint in one form only.
#include "base/check.h"
#include "journal/note.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace imprimatur;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto key = journal::note_key_from_text(text); key.ok()) CHECK(key->text() == text);
  const auto note = journal::note_from_text(text);
  if (!note.ok()) return 0;
  const auto again = journal::note_from_text(note->to_text());
  CHECK(again.ok() && again->text == note->text && again->signatures.size() == note->signatures.size());
  const auto checkpoint = journal::checkpoint_in(*note);
  if (checkpoint.ok()) CHECK(note->text.starts_with(checkpoint->to_text()));
  for (const journal::NoteSignature& signature : note->signatures) (void)journal::time_of(signature);
  return 0;
}
