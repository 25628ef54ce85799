#include "journal/verifier.h"

#include "journal/exported.h"
#include "journal/signing.h"
#include "journal/story_test.h"

#include <sstream>

#include <gtest/gtest.h>

namespace imprimatur::journal {
namespace {

const Signer& signer() {
  static const Signer held(std::string(kSeedBytes, 's'));
  return held;
}

SignedHead head_over(const std::vector<Entry>& entries, std::size_t size, const Signer& by = signer()) {
  Frontier tree;
  for (std::size_t i = 0; i < size; ++i) tree.append(leaf_of(entries[i]));
  SignedHead head{
      entries[0].journal, size, tree.root(), size == 0 ? Hash256{} : entries[size - 1].hash, {}, {}};
  head.public_key = by.public_key();
  head.signature = by.sign(head_bytes(head.journal, head.size, head.root, head.last_hash));
  return head;
}

// A small installation as a verifier sees it.
struct World {
  std::vector<Entry> organisation = chained("org", organisation_story(signer().public_key()));
  std::vector<Entry> project = chained("prj_1", project_story());
  SignedHead organisation_head = head_over(organisation, organisation.size());
  SignedHead project_head = head_over(project, project.size());
  TableRows organisation_rows = rows_of(organisation);
  TableRows project_rows = rows_of(project);

  static TableRows rows_of(const std::vector<Entry>& entries) {
    Replay replay;
    for (const Entry& entry : entries) EXPECT_TRUE(replay.apply(entry).ok()) << entry.seq;
    TableRows out;
    for (const auto& [key, row] : replay.rows()) out[key] = row.value;
    return out;
  }

  std::string exported() const {
    std::string out = export_header() + "\n";
    const auto add = [&](const auto& entries, const SignedHead& head, const TableRows& rows) {
      for (const Entry& entry : entries) out += exported_entry(entry) + "\n";
      out += export_line(head) + "\n";
      for (const auto& [key, text] : rows) out += export_line(head.journal, key, RowText(text)) + "\n";
    };
    add(organisation, organisation_head, organisation_rows);
    add(project, project_head, project_rows);
    return out;
  }

  std::vector<std::string> faults(const std::vector<SignedHead>& checkpoints = {}) const {
    std::istringstream file(exported());
    const auto verified = verify_export(file, {checkpoints, trusted_key, notes, witnesses});
    if (!verified.ok()) return {verified.error().detail};
    std::vector<std::string> out;
    for (const Fault& fault : verified->faults) {
      out.push_back(fault.journal + " " + std::to_string(fault.seq) + ": " + fault.what);
    }
    return out;
  }
  std::string trusted_key;
  std::vector<Note> notes;
  std::vector<NoteKey> witnesses;
  std::string first_fault(const std::vector<SignedHead>& checkpoints = {}) const {
    const auto all = faults(checkpoints);
    return all.empty() ? "none" : all[0];
  }

  // What somebody who holds the database, but not the signing key, would do next.
  void rehash() {
    for (std::size_t i = 0; i < project.size(); ++i) {
      project[i].previous = i == 0 ? Hash256{} : project[i - 1].hash;
      project[i].hash = hash_of(project[i]);
    }
  }
};

TEST(Verifier, AWholeWorldVerifies) {
  const World world;
  EXPECT_EQ(world.faults(), std::vector<std::string>{});
  EXPECT_EQ(Verifier(Scope::store).finish().faults.size(), 0u);
}

TEST(Verifier, EveryAlteredEntryIsNamed) {
  const World good;
  for (std::size_t i = 0; i < good.project.size(); ++i) {
    const std::string expected = "prj_1 " + std::to_string(i + 1) + ": ";
    const auto altered = [&](auto change) {
      World world = good;
      change(world.project[i]);
      return world.first_fault();
    };
    EXPECT_TRUE(altered([](Entry& e) { e.event.actor.text = "usr_evil"; }).starts_with(expected));
    EXPECT_TRUE(altered([](Entry& e) { e.event.action += "x"; }).starts_with(expected));
    EXPECT_TRUE(altered([](Entry& e) { e.event.resource += "x"; }).starts_with(expected));
    EXPECT_TRUE(altered([](Entry& e) { e.event.details = "{}"; }).starts_with(expected));
    EXPECT_TRUE(altered([](Entry& e) { e.time.micros += 1; }).starts_with(expected));
    EXPECT_TRUE(altered([](Entry& e) { e.hash[7] ^= 4; }).starts_with(expected));
    EXPECT_TRUE(altered([](Entry& e) { e.previous[7] ^= 4; }).starts_with(expected));
    World missing = good;
    missing.project.erase(missing.project.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_TRUE(missing.first_fault().starts_with(expected)) << missing.first_fault();
    // Rehashed from there on, the signature tells.
    World rehashed = good;
    rehashed.project[i].event.resource = "else";
    rehashed.rehash();
    EXPECT_FALSE(rehashed.faults().empty());
  }
}

TEST(Verifier, EveryAlteredRowIsNamed) {
  const World good;
  for (const auto& [key, text] : good.project_rows) {
    const RowText row(text);
    for (const auto& [field, value] : row.fields()) {
      World world = good;
      world.project_rows[key] = RowText(text).set(field, "tampered").text();
      const std::string fault = world.first_fault();
      EXPECT_NE(fault.find(key + ": " + std::string(field)), std::string::npos) << fault;
      EXPECT_FALSE(fault.starts_with("prj_1 0:")) << fault;
    }
    World missing = good;
    missing.project_rows.erase(key);
    EXPECT_NE(missing.first_fault().find(key + " is missing"), std::string::npos);
  }
  World added = good;
  added.project_rows["release rel_evil"] = "end=live\n";
  EXPECT_EQ(added.first_fault(), "prj_1 0: release rel_evil is in the table and no entry accounts for it");
}

TEST(Verifier, HeadsMustBeTrueAndSignedByTheOrganisationsKey) {
  World unsigned_one;
  unsigned_one.project_head.signature[3] ^= 1;
  EXPECT_EQ(unsigned_one.first_fault(), "prj_1 0: the head's signature does not hold");
  World other_root;
  other_root.project_head.root[0] ^= 1;
  EXPECT_EQ(other_root.first_fault(), "prj_1 0: the head's root is not that of the entries");
  World shorter;
  shorter.project_head = head_over(shorter.project, 5);
  EXPECT_EQ(shorter.first_fault(), "prj_1 6: the head counts 5 entries only");
  World longer;
  longer.project.pop_back();
  EXPECT_EQ(longer.first_fault(), "prj_1 29: entry 29 is missing: the head counts 29 entries");
  World other_key;
  other_key.project_head =
      head_over(other_key.project, other_key.project.size(), Signer(std::string(32, 'x')));
  EXPECT_EQ(other_key.first_fault(), "prj_1 0: the head is signed by another key than the organisation's");
}

TEST(Verifier, JournalsMustBeTheOnesOfTheOrganisation) {
  World unregistered;
  unregistered.organisation.pop_back();
  unregistered.organisation_rows.erase("project prj_1");
  unregistered.organisation_head = head_over(unregistered.organisation, unregistered.organisation.size());
  EXPECT_EQ(unregistered.first_fault(), "prj_1 0: no project of the organisation has this journal");
  Verifier verifier(Scope::store);
  const World world;
  for (const Entry& entry : world.organisation) verifier.take(entry);
  verifier.take_head(world.organisation_head);
  for (const auto& [key, text] : world.organisation_rows) verifier.take_row("org", key, text);
  const Verification verified = verifier.finish();
  ASSERT_EQ(verified.faults.size(), 1u);
  EXPECT_EQ(verified.faults[0].what, "the project's journal is missing");
}

// Somebody with the signing key cuts the journal, its head and the tables back to an earlier moment: nothing
// inside tells, a head that was kept elsewhere does.
TEST(Verifier, ACheckpointTellsWhatWasCutOffOrRewritten) {
  World cut;
  const std::vector<SignedHead> checkpoints = {head_over(cut.project, 20)};
  EXPECT_EQ(cut.faults(checkpoints), std::vector<std::string>{});
  cut.project.resize(12);
  cut.project_head = head_over(cut.project, 12);
  cut.project_rows = World::rows_of(cut.project);
  EXPECT_EQ(cut.faults(), std::vector<std::string>{});
  EXPECT_EQ(cut.first_fault(checkpoints),
            "prj_1 13: entry 13 is missing: the checkpoint has seen 20 entries");

  World rewritten;
  rewritten.project[17].event.resource = "else";
  rewritten.rehash();
  rewritten.project_head = head_over(rewritten.project, rewritten.project.size());
  EXPECT_EQ(rewritten.faults(), std::vector<std::string>{});
  EXPECT_EQ(rewritten.first_fault(checkpoints),
            "prj_1 20: the journal up to here is not the one of the checkpoint");

  World rekeyed;
  const Signer other(std::string(32, 'o'));
  rekeyed.organisation = chained("org", organisation_story(other.public_key()));
  rekeyed.organisation_rows = World::rows_of(rekeyed.organisation);
  rekeyed.organisation_head = head_over(rekeyed.organisation, rekeyed.organisation.size(), other);
  rekeyed.project_head = head_over(rekeyed.project, rekeyed.project.size(), other);
  EXPECT_EQ(rekeyed.faults(), std::vector<std::string>{});
  EXPECT_EQ(rekeyed.first_fault(checkpoints), "prj_1 0: the checkpoint is signed by another key");
  rekeyed.trusted_key = key_digest(other.public_key());
  EXPECT_EQ(rekeyed.faults(), std::vector<std::string>{});
  rekeyed.trusted_key = key_digest(Signer(std::string(32, 'p')).public_key());
  EXPECT_EQ(rekeyed.first_fault(), "org 1: the organisation began with the key " +
                                       key_digest(other.public_key()) + ", not with " + rekeyed.trusted_key);
  EXPECT_EQ(rekeyed.faults().size(), 3u) << "the first entry and both heads";

  std::vector<SignedHead> forged = checkpoints;
  forged[0].size = 21;
  EXPECT_NE(World().first_fault(forged), "none");
  forged = checkpoints;
  forged[0].journal = "prj_9";
  EXPECT_EQ(World().first_fault(forged), "prj_9 1: the checkpoint's journal is missing");
}

// A checkpoint as other programs keep it.
Note note_over(const std::vector<Entry>& entries, std::size_t size, const Signer& by = signer()) {
  const Checkpoint checkpoint{origin_of(by.public_key(), entries[0].journal), size,
                              head_over(entries, size).root};
  Note note{checkpoint.to_text(), {}};
  note.signatures.push_back(sign_note(by, checkpoint.origin, note.text));
  return note;
}

TEST(Verifier, ASignedNoteTellsTheSame) {
  const World good;
  World seen = good;
  for (std::size_t size = 0; size <= good.project.size(); ++size)
    seen.notes.push_back(note_over(good.project, size));
  EXPECT_EQ(seen.faults(), std::vector<std::string>{});

  World cut = good;
  cut.notes = {note_over(good.project, 20)};
  cut.project.resize(12);
  cut.project_head = head_over(cut.project, 12);
  cut.project_rows = World::rows_of(cut.project);
  EXPECT_EQ(cut.first_fault(), "prj_1 13: the checkpoint of 20 entries has seen entry 13, which is missing");

  World rewritten = good;
  rewritten.notes = {note_over(good.project, 20)};
  rewritten.project[17].event.resource = "else";
  rewritten.rehash();
  rewritten.project_head = head_over(rewritten.project, rewritten.project.size());
  EXPECT_EQ(rewritten.first_fault(), "prj_1 20: the journal up to here is not the one of the checkpoint");

  const Signer other(std::string(32, 'o'));
  World forged = good;
  forged.notes = {note_over(good.project, 20, other)};
  EXPECT_NE(forged.first_fault().find("is of another log, or of one that another key signs"),
            std::string::npos)
      << forged.first_fault();
  Note& note = forged.notes.front();
  note = note_over(good.project, 20);
  note.signatures[0].bytes[9] ^= 1;
  EXPECT_EQ(forged.first_fault(), "prj_1 0: the checkpoint of 20 entries is not signed by the log's key");
  note = {Checkpoint{origin_of(signer().public_key(), "prj_1"), 0, sha256("else")}.to_text(), {}};
  note.signatures.push_back(sign_note(signer(), checkpoint_in(note)->origin, note.text));
  EXPECT_EQ(forged.first_fault(), "prj_1 0: the checkpoint of 0 entries has a root of its own");
  note = {Checkpoint{"example.com/log", 3, sha256("else")}.to_text(), {}};
  EXPECT_EQ(forged.first_fault(),
            "example.com/log 1: the journal of the checkpoint of example.com/log is missing");
}

TEST(Verifier, WitnessesThatAreNamedMustHaveCosigned) {
  const Signer held(std::string(32, 'w'));
  World world;
  world.witnesses = {{"witness.example/w1", NoteAlgorithm::witness, held.public_key()}};
  EXPECT_EQ(world.first_fault(), "none") << "there is no note that they could have signed";
  world.notes = {note_over(world.project, 20)};
  EXPECT_EQ(world.first_fault(),
            "prj_1 0: the checkpoint of 20 entries is not cosigned by witness.example/w1");
  Note& note = world.notes.front();
  note.signatures.push_back(cosign_note(held, "witness.example/w1", Time{1'700'000'000'000'000}, note.text));
  EXPECT_EQ(world.first_fault(), "none");
  note.signatures[1].bytes[20] ^= 1;
  EXPECT_EQ(
      world.first_fault(),
      "prj_1 0: the checkpoint of 20 entries has a cosignature of witness.example/w1 that does not hold");
  note.signatures[1] = sign_note(held, "witness.example/w1", note.text);
  EXPECT_NE(world.first_fault(), "none") << "a log's signature is none of a witness";
}

// The audit log of one journal, as the server hands it out.
TEST(Export, ALogIsCheckedWithoutTables) {
  const World world;
  std::string log;
  for (const Entry& entry : world.project) log += exported_entry(entry) + "\n";
  const auto faults = [](const std::string& text) {
    std::istringstream file(text);
    return verify_export(file, {}).value().faults.size();
  };
  const std::string head = head_to_json(world.project_head);
  EXPECT_EQ(faults(log + head + "\n"), 0u);
  EXPECT_EQ(faults(log + "{\"checkpoint\":" + head + "}"), 0u);
  EXPECT_EQ(faults(log), 1u);
  EXPECT_EQ(faults(log.substr(log.find('\n') + 1) + head), 1u);
}

TEST(Export, RefusesWhatIsNone) {
  const auto read = [](const std::string& text) {
    std::istringstream file(text);
    const auto verified = verify_export(file, {});
    return verified.ok() ? "read" : verified.error().detail;
  };
  const std::string header = export_header() + "\n";
  EXPECT_EQ(read(""), "the file is empty");
  EXPECT_TRUE(read("{}\n").starts_with("line 1: "));
  EXPECT_TRUE(read(header + "{\"checkpoint\":{}}\n").starts_with("line 2: "));
  EXPECT_TRUE(read(header + "{\"other\":{}}\n").starts_with("line 2: "));
  EXPECT_TRUE(read(header + "{\"row\":{\"journal\":\"org\"}}\n").starts_with("line 2: "));
  EXPECT_TRUE(read(header + "{\"row\":{\"journal\":\"org\",\"key\":\"a\",\"fields\":{\"x\":1}}}\n")
                  .starts_with("line 2"));
  EXPECT_TRUE(read(header + "not json\n").starts_with("line 2: "));
  EXPECT_TRUE(read(header + std::string(kMaxExportLine + 10, 'x')).ends_with("is too long"));
  EXPECT_EQ(read(header), "read");
}

TEST(Head, ReadsWhatItWrites) {
  const World world;
  const std::string text = head_to_json(world.project_head);
  const auto read = head_from_json(text);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(head_to_json(*read), text);
  EXPECT_EQ(checkpoints_from_text(text).value().heads.size(), 1u);
  EXPECT_EQ(checkpoints_from_text("{\"heads\":[" + text + "," + text + "]}").value().heads.size(), 2u);
  for (const std::string& member : members_of(text)) {
    EXPECT_FALSE(head_from_json(without(text, member)).ok()) << member;
  }
  EXPECT_FALSE(checkpoints_from_text("[]").ok());
  EXPECT_FALSE(checkpoints_from_text("{\"heads\":1}").ok());
  EXPECT_FALSE(checkpoints_from_text("{\"heads\":[]}").ok());
  std::string shouted = text;
  const std::size_t hash = shouted.find("sha256:") + 7;
  for (std::size_t i = hash; i < hash + 64; ++i) shouted[i] = static_cast<char>(std::toupper(shouted[i]));
  EXPECT_FALSE(checkpoints_from_text(shouted).ok());
  const std::string note = note_over(world.project, 3).to_text();
  EXPECT_EQ(checkpoints_from_text(note).value().notes.size(), 1u);
  EXPECT_FALSE(checkpoints_from_text("no " + note.substr(note.find('\n') + 1)).ok());
}

}  // namespace
}  // namespace imprimatur::journal
