/*
 * A judge for every type of a schema that asn1c was given: reads one value in BER, checks its constraints, and writes it as
 * canonical XER and as DER.  Commands come from stdin, one a line: TYPE INPUT XER DER (paths without blanks).  Answers one
 * line each: "ok", or what is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <asn_application.h>
#include <asn_internal.h>

extern asn_TYPE_descriptor_t *asn_pdu_collection[];

static int to_file(const void *data, size_t size, void *file)
{
    return fwrite(data, 1, size, (FILE *)file) == size ? 0 : -1;
}

static char *contents(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    long length;
    char *data;

    if (!file)
        return NULL;
    fseek(file, 0, SEEK_END);
    length = ftell(file);
    rewind(file);
    data = malloc(length + 1);
    *size = fread(data, 1, length, file);
    fclose(file);
    return data;
}

static const char *judge(const char *type, const char *input, const char *xer, const char *der)
{
    static char message[1024];
    asn_TYPE_descriptor_t **each;
    asn_codec_ctx_t context;
    asn_dec_rval_t decoded;
    asn_enc_rval_t encoded;
    void *value = NULL;
    size_t size = 0, length = 700;
    char *data = contents(input, &size), why[700] = "";
    FILE *out;

    for (each = asn_pdu_collection; *each && strcmp((*each)->name, type); each++)
        ;
    if (!*each || !data)
        return "no such type or input";
    memset(&context, 0, sizeof context);
    context.max_stack_size = 10 * 1024 * 1024; /* the default stops at a depth of about 100 */
    decoded = ber_decode(&context, *each, &value, data, size);
    free(data);
    if (decoded.code != RC_OK || decoded.consumed != size) {
        snprintf(message, sizeof message, "decode: code %d after %zu of %zu octets", decoded.code, decoded.consumed, size);
        ASN_STRUCT_FREE(**each, value);
        return message;
    }
    if (asn_check_constraints(*each, value, why, &length)) {
        snprintf(message, sizeof message, "constraint: %s", why);
        ASN_STRUCT_FREE(**each, value);
        return message;
    }
    out = fopen(xer, "wb");
    encoded = xer_encode(*each, value, XER_F_CANONICAL, to_file, out);
    fclose(out);
    if (encoded.encoded < 0) {
        ASN_STRUCT_FREE(**each, value);
        return "XER: cannot be written";
    }
    out = fopen(der, "wb");
    encoded = der_encode(*each, value, to_file, out);
    fclose(out);
    ASN_STRUCT_FREE(**each, value);
    return encoded.encoded < 0 ? "DER: cannot be written" : "ok";
}

int main(void)
{
    char type[256], input[1024], xer[1024], der[1024];

    while (scanf("%255s %1023s %1023s %1023s", type, input, xer, der) == 4) {
        printf("%s\n", judge(type, input, xer, der));
        fflush(stdout);
    }
    return 0;
}
