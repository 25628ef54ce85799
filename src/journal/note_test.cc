#include "journal/note.h"

#include <gtest/gtest.h>

namespace imprimatur::journal {
namespace {

constexpr const char* kPeter = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr const char* kPeterNote =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "\u2014 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
constexpr const char* kExample = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
constexpr const char* kExampleNote =
    "This is an example message.\n\n"
    "\u2014 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
constexpr const char* kBehindTheSofa =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "\u2014 example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "\u2014 witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/"
    "zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

const Signer& log_signer() {
  static const Signer held(std::string(kSeedBytes, 'l'));
  return held;
}
const Signer& witness_signer() {
  static const Signer held(std::string(kSeedBytes, 'w'));
  return held;
}
const NoteKey kWitness{"witness.example/w1", NoteAlgorithm::witness, witness_signer().public_key()};

// A checkpoint with both signatures.
Note signed_note() {
  const Checkpoint checkpoint{origin_of(log_signer().public_key(), "prj_1"), 42, sha256("root")};
  Note note{checkpoint.to_text(), {}};
  note.signatures.push_back(sign_note(log_signer(), checkpoint.origin, note.text));
  note.signatures.push_back(
      cosign_note(witness_signer(), kWitness.name, Time{1'679'315'147'999'999}, note.text));
  return note;
}

// Keys and notes that every implementation is tried on.
TEST(Note, KnownNotesHold) {
  for (const auto& [text, signer] : {std::pair(kPeterNote, kPeter), std::pair(kExampleNote, kExample)}) {
    const Note note = note_from_text(text).value();
    const NoteKey key = note_key_from_text(signer).value();
    EXPECT_EQ(key.text(), signer);
    EXPECT_EQ(signed_by(note, key), Signed::holds);
    EXPECT_EQ(note.to_text(), text);
  }
  const Note peter = note_from_text(kPeterNote).value();
  EXPECT_EQ(signed_by(peter, note_key_from_text(kExample).value()), Signed::missing);
}

TEST(Note, TheCheckpointOfTheSpecificationIsRead) {
  const Note note = note_from_text(kBehindTheSofa).value();
  const Checkpoint checkpoint = checkpoint_in(note).value();
  EXPECT_EQ(checkpoint.origin, "example.com/behind-the-sofa");
  EXPECT_EQ(checkpoint.size, 20852163u);
  EXPECT_EQ(checkpoint.to_text(), note.text);
  EXPECT_EQ(note.to_text(), kBehindTheSofa);
  ASSERT_EQ(note.signatures.size(), 2u);
  EXPECT_EQ(time_of(note.signatures[0]), std::nullopt) << "the log's signature has no time";
  EXPECT_EQ(to_rfc3339(time_of(note.signatures[1]).value()), "2023-03-20T12:25:47.000000Z");
}

TEST(Note, AKeyIsItsNameHashAndBytes) {
  for (const NoteKey& key : {kWitness, NoteKey{"a", NoteAlgorithm::log, log_signer().public_key()}}) {
    EXPECT_EQ(note_key_from_text(key.text()).value(), key);
  }
  const NoteKey as_log{kWitness.name, NoteAlgorithm::log, kWitness.public_key};
  EXPECT_NE(as_log.id(), kWitness.id());
  const std::string good = kWitness.text();
  const std::string hash = to_hex(kWitness.id());
  std::string of_another_hash = good;
  of_another_hash.replace(of_another_hash.find(hash), hash.size(), "00000000");
  const std::string unknown_kind = "a+00000000+" + to_base64("\x02" + kWitness.public_key);
  for (const std::string& bad :
       {std::string(), std::string("a"), std::string("a+b"), "+" + hash + "+AQ==", good + "A",
        good.substr(0, good.size() - 4), "a b" + good.substr(good.find('+')), of_another_hash, unknown_kind,
        "another" + good.substr(good.find('+'))}) {
    EXPECT_FALSE(note_key_from_text(bad).ok()) << bad;
  }
}

TEST(Note, WhatIsNoNoteIsRefused) {
  const std::string good = signed_note().to_text();
  ASSERT_TRUE(note_from_text(good).ok());
  const std::string text = signed_note().text;
  for (const std::string& bad :
       {std::string(), std::string("\n"), text, text + "\n", good.substr(0, good.size() - 1), good + "more\n",
        good + "\u2014 name\n", good + "\u2014 name AAAA\n", good + "\u2014 a+b AAAAAAA=\n",
        good + "\u2014  AAAAAAA=\n", "a\tb\n" + good, "\xff\n" + good, good + std::string(1, '\0')}) {
    EXPECT_FALSE(note_from_text(bad).ok()) << bad;
  }
  EXPECT_EQ(note_from_text(std::string(kMaxNoteBytes + 1, 'x')).error().code, ErrorCode::too_large);
  std::string crowded = good;
  for (std::size_t i = 2; i < kMaxNoteSignatures; ++i) crowded += "\u2014 name AAAAAAA=\n";
  EXPECT_TRUE(note_from_text(crowded).ok());
  EXPECT_FALSE(note_from_text(crowded + "\u2014 name AAAAAAA=\n").ok());
}

TEST(Note, WhatIsNoCheckpointIsRefused) {
  const std::string root = to_base64(bytes_of(sha256("root")));
  const auto read = [](const std::string& text) { return checkpoint_in(Note{text, {}}); };
  EXPECT_TRUE(read("log\n0\n" + root + "\n").ok());
  EXPECT_TRUE(read("log\n7\n" + root + "\nmore\n").ok()) << "extension lines are somebody else's business";
  for (const std::string& bad :
       {std::string("log\n"), "log\n\n" + root + "\n", "log\n-1\n" + root + "\n", "log\n07\n" + root + "\n",
        "log\n7 \n" + root + "\n", "\n7\n" + root + "\n", std::string("log\n7\nAAAA\n"),
        "log\n7\n" + root.substr(1) + "\n", "log\n99999999999999999999\n" + root + "\n"}) {
    EXPECT_FALSE(read(bad).ok()) << bad;
  }
}

TEST(Note, EveryFlippedBitIsRefused) {
  const Note good = signed_note();
  const Checkpoint checkpoint = checkpoint_in(good).value();
  const NoteKey log{checkpoint.origin, NoteAlgorithm::log, log_signer().public_key()};
  ASSERT_EQ(signed_by(good, log), Signed::holds);
  ASSERT_EQ(signed_by(good, kWitness), Signed::holds);
  const auto flip = [](std::string bytes, std::size_t bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    return bytes;
  };
  for (std::size_t bit = 0; bit < good.text.size() * 8; ++bit) {
    const Note altered{flip(good.text, bit), good.signatures};
    EXPECT_EQ(signed_by(altered, log), Signed::wrong);
    EXPECT_EQ(signed_by(altered, kWitness), Signed::wrong);
  }
  for (std::size_t which = 0; which < 2; ++which) {
    const NoteKey& key = which == 0 ? log : kWitness;
    for (std::size_t bit = 0; bit < good.signatures[which].bytes.size() * 8; ++bit) {
      Note altered = good;
      altered.signatures[which].bytes = flip(altered.signatures[which].bytes, bit);
      EXPECT_EQ(signed_by(altered, key), Signed::wrong) << "the time of a witness is signed too";
    }
    for (std::size_t bit = 0; bit < 32; ++bit) {
      Note altered = good;
      altered.signatures[which].id = flip(altered.signatures[which].id, bit);
      EXPECT_EQ(signed_by(altered, key), Signed::missing);
    }
  }
}

// A witness's key signs no log's note, and the other way about.
TEST(Note, AlgorithmsAreNotMixed) {
  const Note good = signed_note();
  const NoteKey as_log{kWitness.name, NoteAlgorithm::log, kWitness.public_key};
  EXPECT_EQ(signed_by(good, as_log), Signed::missing);
  Note forged = good;
  forged.signatures[1] = sign_note(witness_signer(), kWitness.name, good.text);
  forged.signatures[1].id = kWitness.id();
  EXPECT_EQ(signed_by(forged, kWitness), Signed::wrong);
}

TEST(Note, TheOriginNamesKeyAndJournal) {
  const std::string origin = origin_of(log_signer().public_key(), "prj_1");
  EXPECT_EQ(origin, "imprimatur/" + to_hex(sha256(log_signer().public_key())).substr(0, 32) + "/prj_1");
  EXPECT_EQ(journal_in(origin), "prj_1");
  for (const char* other : {"", "imprimatur/", "imprimatur/prj_1", "example.com/log"}) {
    EXPECT_EQ(journal_in(other), "") << other;
  }
}

}  // namespace
}  // namespace imprimatur::journal
