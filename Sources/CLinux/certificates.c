// Debian's libgit2 reads every certificate authority of the system when it starts, five milliseconds in each
// command that looks at a ledger, for connections that are never made. It calls this function for that, finds it
// here first, and goes on without, as it does on a machine that has no such file. Where libgit2 is built upon
// another library than Mbed TLS, nobody calls it.

// MBEDTLS_ERR_X509_FILE_IO_ERROR of mbedtls/x509.h.
enum { FILE_IO_ERROR = -0x2900 };

int mbedtls_x509_crt_parse_file(void *chain, const char *path);

int mbedtls_x509_crt_parse_file(void *chain, const char *path) {
  (void)chain;
  (void)path;
  return FILE_IO_ERROR;
}
