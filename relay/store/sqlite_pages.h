#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace waxwing {

/// Some octets of a file, from an offset; fewer than asked for at its end, or where the disk does not give them.
using ReadFileAt = std::function<std::string(std::uint64_t offset, std::size_t count)>;

/// The pages of an SQLite database that may be damaged, with those that its write-ahead log replaces. Reads only, and
/// believes nothing: no page leads to another unless that is in range.
/// @source  https://www.sqlite.org/fileformat2.html §1.3, §1.5 and §4
class SqlitePages {
 public:
  struct File {
    ReadFileAt read;
    std::uint64_t octets = 0;
  };

  SqlitePages(File database, File log);

  /// From 1.
  [[nodiscard]] std::uint32_t page_count() const { return page_count_; }
  [[nodiscard]] std::uint32_t page_octets() const { return page_octets_; }
  /// Octets of a page that hold anything.
  [[nodiscard]] std::uint32_t usable_octets() const { return usable_octets_; }
  /// Of the header of the first page; no value: that is damaged.
  [[nodiscard]] std::optional<std::uint32_t> user_version() const { return user_version_; }
  /// Pages that the log replaces.
  [[nodiscard]] std::size_t pages_in_log() const { return in_log_.size(); }

  /// A whole page; empty when there is no such page or it cannot be read.
  [[nodiscard]] std::string page(std::uint32_t number) const;

  /// Whether what the page holds was deleted: the list of free pages has it.
  [[nodiscard]] bool is_free(std::uint32_t number) const { return free_.contains(number); }
  /// Whether the list of free pages is damaged, so that a page may be free that it does not have.
  [[nodiscard]] bool free_list_damaged() const { return free_list_damaged_; }
  /// Whether the page maps others to their parents, or holds no octet of a table for another reason.
  [[nodiscard]] bool is_pointer_map(std::uint32_t number) const;
  /// Whether the pointer map says that the page is part of a table or index, and is itself as it should be.
  [[nodiscard]] bool is_said_to_be_used(std::uint32_t number) const;

 private:
  void read_log();
  void read_header();
  void read_free_list(std::uint32_t first, std::uint32_t count);

  File database_;
  File log_;
  std::uint32_t page_octets_ = 4'096;
  std::uint32_t usable_octets_ = 4'096;
  std::uint32_t page_count_ = 0;
  std::optional<std::uint32_t> user_version_;
  std::map<std::uint32_t, std::uint64_t> in_log_;  // page and where in the log its octets are
  std::set<std::uint32_t> free_;
  bool free_list_damaged_ = false;
  bool has_pointer_map_ = true;
};

/// A number in big-endian order, as the format has them; 0 beyond the end.
[[nodiscard]] std::uint32_t big_endian(std::string_view octets, std::size_t at, std::size_t count);

}  // namespace waxwing
