#include "relay/daemon/seal_anew.h"

#include <memory>
#include <utility>

#include "policy/ascii.h"
#include "relay/store/spool_file.h"
#include "signer/body_hasher.h"
#include "signer/from_field.h"
#include "signer/header_field.h"

namespace waxwing {
namespace {

using OnSealed = std::function<void(Result<QueuedMessage>)>;

// A message on its way through the pool and the sealer; one thread after the other has it.
struct Job {
  SealAnewServices services;
  QueuedMessage message;
  OnSealed on_sealed;
};

Result<std::string> hash_body(const QueuedMessage& message, const std::string& state_directory) {
  BodyHasher hasher(Canonicalization::Relaxed);
  hasher.update(message.body);
  if (!message.spooled) return hasher.finish();
  auto spool = SpoolReader::open(state_directory, message.id, message.body_octets);
  if (!spool) return tl::unexpected(spool.error());
  while (true) {
    const auto piece = spool->next();
    if (!piece) return tl::unexpected(piece.error());
    if (piece->empty()) return hasher.finish();
    hasher.update(*piece);
  }
}

Result<DomainName> author_domain(const std::string& header) {
  const auto fields = parse_header_block(header);
  if (!fields) return tl::unexpected(fields.error());
  const auto authors = read_authors(*fields);
  if (!authors) return tl::unexpected(authors.error());
  return sole_author_domain(*authors);
}

void on_verdict(const std::shared_ptr<Job>& job, Result<Sealed> sealed) {
  if (!sealed) return job->on_sealed(tl::unexpected(sealed.error()));
  const PreflightVerdict& verdict = sealed->preflight;
  if (verdict.outcome == PreflightVerdict::Outcome::Unknown)
    return job->on_sealed(fail(ErrorKind::Unavailable, verdict.sentence));
  if (verdict.outcome == PreflightVerdict::Outcome::WouldFail) {
    job->services.log.write(
        Severity::Warning, "preflight_warning",
        {{"id", job->message.id.str()}, {"account", job->message.account}, {"reason", verdict.sentence}});
  }
  job->message.header = std::move(sealed->header);
  job->on_sealed(std::move(job->message));
}

void seal(const std::shared_ptr<Job>& job, Result<std::string> body_hash) {
  if (!body_hash) return job->on_sealed(tl::unexpected(body_hash.error()));
  std::string header = without_own_signatures(job->message.header);
  auto author = author_domain(header);
  if (!author) return job->on_sealed(tl::unexpected(author.error()));
  SealRequest request{std::move(header),         std::move(*body_hash), std::move(*author),
                      job->message.reverse_path, job->message.tenant,   {}};
  for (const QueuedRecipient& recipient : job->message.recipients)
    request.recipient_domains.push_back(recipient.address.domain.str());
  job->services.sealer.seal(std::move(request), [job](Result<Sealed> sealed) { on_verdict(job, std::move(sealed)); });
}

}  // namespace

void seal_anew(const SealAnewServices& services, QueuedMessage message, OnSealed on_sealed) {
  auto job = std::make_shared<Job>(Job{services, std::move(message), std::move(on_sealed)});
  const bool taken = services.pool.submit([job] {
    auto body_hash = hash_body(job->message, job->services.state_directory);
    job->services.loop.post([job, body_hash = std::move(body_hash)]() mutable { seal(job, std::move(body_hash)); });
  });
  if (taken) return;
  services.loop.post(
      [job] { job->on_sealed(fail(ErrorKind::Exhausted, "too many messages wait for their signature")); });
}

std::string without_own_signatures(std::string_view header) {
  while (ascii_istarts_with(header, "DKIM-Signature:")) {
    std::size_t end = header.find("\r\n");
    while (end != std::string_view::npos && end + 2 < header.size() &&
           (header[end + 2] == ' ' || header[end + 2] == '\t')) {
      end = header.find("\r\n", end + 2);
    }
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 2);
  }
  return std::string(header);
}

}  // namespace waxwing
